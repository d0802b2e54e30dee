package process

// maxrssUnit is that of ru_maxrss, which macOS counts in bytes.
const maxrssUnit = 1
