// Says every second on the serial line what a handwritten digit is: $title. Made by python -m export.c.
// For boards of 32 bits; an 8-bit AVR would copy the weights to RAM.
#include "${name}_selftest.h"

static const char *const labels[${guard}_CLASSES] = ${guard}_LABELS;
static int current = 0;

void setup() {
  Serial.begin(115200);
}

void loop() {
  uint8_t probabilities[${guard}_CLASSES];
  const unsigned long began = micros();
  const int best = ${name}_predict(${name}_test_pixels[current], probabilities);
  const unsigned long took = micros() - began;
  Serial.print("digit ");
  Serial.print(current);
  Serial.print(": ");
  Serial.print(labels[best]);
  Serial.print(", ");
  Serial.print(probabilities[best]);
  Serial.print("/256, ");
  Serial.print(took);
  Serial.println(" microseconds");
  current = (current + 1) % ${guard}_TEST_DIGITS;
  if (current == 0) Serial.println(${name}_selftest() == 0 ? "all answers are the computer's" : "answers differ");
  delay(1000);
}
