package upgrade

const thisSystem = appleMach
