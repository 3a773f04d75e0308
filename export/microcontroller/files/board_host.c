/* A computer as the board. Made by python -m export.c. */
#include "board.h"

#include <stdio.h>

void board_print(const char *text)
{
    fputs(text, stdout);
}
