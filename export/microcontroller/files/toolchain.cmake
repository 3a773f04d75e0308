# A Cortex-M: cmake -B build-arm -DCMAKE_TOOLCHAIN_FILE=cortex-m/toolchain.cmake [-DMACHINE=mps2-an500]
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
