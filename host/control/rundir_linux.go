package control

// systemRunDir is where root's hosts register.
const systemRunDir = "/run/servicehost"
