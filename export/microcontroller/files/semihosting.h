/* Calls to the debugger, or to QEMU. Made by python -m export.c. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

intptr_t semihosting(intptr_t service, const void *argument);

#endif
