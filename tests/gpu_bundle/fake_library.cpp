/// \file A library that there may be or not: what a module is linked with, and the module.

#ifdef FAKE_MODULE
extern "C" int fake_toolkit();
extern "C" int fake_module() {
    return fake_toolkit();
}
#else
extern "C" int fake_toolkit() {
    return 0;
}
#endif
