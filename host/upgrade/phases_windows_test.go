package upgrade

// crashPhases are all in which an upgrade can die.
var crashPhases = []phase{prepared, swapping, aside, proving, stopped, reverting}
