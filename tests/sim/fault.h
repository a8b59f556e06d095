/* fault.h — what befalls a world: kills and restarts, a failing disk, failing allocations, clocks that jump,
 * an operator who retires keys. Which of them, how often and when, the seed says. */
#ifndef COATCHECK_TESTS_SIM_FAULT_H
#define COATCHECK_TESTS_SIM_FAULT_H

void faults_begin(void);
void faults_end(void);

#endif
