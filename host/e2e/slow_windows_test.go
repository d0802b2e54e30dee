package e2e

// slow is set where the start of a process costs a multiple: under Wine.
const slow = true
