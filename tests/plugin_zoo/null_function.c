/* A source that cannot be backed up. */
#define ZOO_BACKUP NULL
#include "zoo.h"
