/* Weights of a layer: for each map, rows of run weights that meet run neighbouring values of the input. */
struct weights {
    const void *codes;       /* of all rows, one after the other */
    const uint8_t *counts;   /* sparse: codes in each row */
    const int8_t *codebook;  /* the values that codes stand for */
    int codebook_step;       /* codes of a map's own codebook; 0: one codebook for all */
    int bits;                /* of an index to the codebook */
    int rows, run;
};
