/* A kind that could not stand in a URI, or would leave the plugin folder. */
#define ZOO_KIND "../Zoo"
#include "zoo.h"
