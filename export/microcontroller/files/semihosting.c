/* A Cortex-M under a debugger or in QEMU: start, output and end by semihosting. Made by python -m export.c. */
#include "semihosting.h"
#include "board.h"

#include <string.h>

extern uint32_t data_from[], data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];
extern int main(void);
void reset(void);

/* The debugger's service number, with what it takes. */
intptr_t semihosting(intptr_t service, const void *argument)
{
    register intptr_t r0 __asm__("r0") = service;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void board_print(const char *text)
{
    semihosting(0x04, text); /* SYS_WRITE0 */
}

static void leave(int code)
{
    const intptr_t reason[2] = {0x20026, code}; /* the application exits */
    for (;;)
        semihosting(0x20, reason); /* SYS_EXIT_EXTENDED */
}

static void fault(void)
{
    board_print("fault\n");
    leave(3);
}

void reset(void)
{
    memcpy(data_begin, data_from, (size_t)((char *)data_end - (char *)data_begin));
    memset(bss_begin, 0, (size_t)((char *)bss_end - (char *)bss_begin));
    leave(main());
}

/* The first 16 entries of the vector table: where the stack begins, reset, and what goes wrong. */
struct vectors {
    uint32_t *stack;
    void (*handlers[15])(void);
};
extern const struct vectors vectors;
__attribute__((section(".vectors"), used)) const struct vectors vectors = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
};
