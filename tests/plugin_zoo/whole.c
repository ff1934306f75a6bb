/* Nothing is wrong with this one: it must load, or the others prove nothing. */
#include "zoo.h"
