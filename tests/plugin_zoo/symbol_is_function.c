/* The symbol is there, but it is code. */
void sluice_plugin(void);
void sluice_plugin(void) {}
