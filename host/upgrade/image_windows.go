package upgrade

const thisSystem = windowsPE
