// A shared library that is no module of matgrad.
extern "C" __attribute__((visibility("default"))) int something_else() {
    return 0;
}
