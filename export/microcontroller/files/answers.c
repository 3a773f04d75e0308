/* Reads digits from digits.bin and writes their answers to answers.bin, in QEMU; says what it took on the way:
 * instructions a digit, counted as time under -icount, and the deepest stack. Made by python -m export.c. */
#include "$name.h"
#include "board.h"
#include "semihosting.h"

#include <string.h>

#define PAINT 0xA5A5A5A5U
#define LOOP 100000U /* turns of two instructions */

static volatile uint32_t *const control = (volatile uint32_t *)0xE000E010, *const reload = (volatile uint32_t *)0xE000E014,
                                *const value = (volatile uint32_t *)0xE000E018;
extern uint32_t bss_end[], stack_top[];

static intptr_t file(const char *name, intptr_t mode)
{
    const intptr_t open[3] = {(intptr_t)name, mode, (intptr_t)strlen(name)};
    return semihosting(0x01, open);
}

static intptr_t transfer(intptr_t service, intptr_t handle, const void *data, intptr_t size)
{
    const intptr_t block[3] = {handle, (intptr_t)data, size};
    return semihosting(service, block); /* bytes that are left over */
}

static void print_number(const char *what, uint32_t number)
{
    char text[12], *digit = text + 11;
    *digit = '\0';
    *--digit = '\n';
    do
        *--digit = (char)('0' + number % 10U);
    while ((number /= 10U) != 0);
    board_print(what);
    board_print(digit);
}

/* Ticks of a loop whose instructions are known: it says how many instructions a tick is. */
static uint32_t ticks_of_loop(void)
{
    uint32_t turns = LOOP;
    *value = 0;
    __asm__ volatile(".syntax unified\n1: subs %0, #1\n bne 1b" : "+l"(turns) : : "cc");
    return 0xFFFFFFU - *value;
}

int main(void)
{
    static uint8_t pixels[${guard}_PIXELS];
    uint8_t probabilities[${guard}_CLASSES];
    const intptr_t from = file("digits.bin", 1), to = file("answers.bin", 5); /* rb, wb */
    uint32_t digits = 0, loop, ticks, most = 0, sum = 0;
    volatile uint32_t *deepest, *here; /* volatile: memset would need the stack itself */
    *reload = 0xFFFFFFU;
    *control = 5; /* on, by the processor's clock */
    loop = ticks_of_loop();
    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (deepest = bss_end; deepest < here; ++deepest)
        *deepest = PAINT;
    while (transfer(0x06, from, pixels, sizeof pixels) == 0) {
        *value = 0;
        (void)${name}_predict(pixels, probabilities);
        ticks = 0xFFFFFFU - *value;
        sum += ticks;
        most = ticks > most ? ticks : most;
        ++digits;
        if (transfer(0x05, to, probabilities, sizeof probabilities) != 0)
            return 1;
    }
    for (deepest = bss_end; *deepest == PAINT;)
        ++deepest;
    print_number("digits ", digits);
    print_number("loop_instructions ", 2U * LOOP);
    print_number("loop_ticks ", loop);
    print_number("ticks ", sum / digits);
    print_number("most_ticks ", most);
    print_number("stack ", (uint32_t)((char *)stack_top - (char *)deepest));
    return 0;
}
