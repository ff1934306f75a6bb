/* create() succeeds and gives nothing. */
#define ZOO_OBJECT NULL
#include "zoo.h"
