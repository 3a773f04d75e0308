/* What the demonstration needs of a board. Made by python -m export.c. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_print(const char *text);

#endif
