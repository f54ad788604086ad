// Linked to by a module, and not where the loader of the system looks.
int absent() {
    return 0;
}
