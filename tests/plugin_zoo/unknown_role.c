/* Only a role that is not known here. */
#define ZOO_ROLE 77
#include "zoo.h"
