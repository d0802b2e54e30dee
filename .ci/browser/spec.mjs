// The services that most tests look at: a server with probes, one that talks, one that fails, and those that wait.

export const services = (port) => `  web:
    description: A web server
    command: [python3, -m, http.server, "${port}", --bind, 127.0.0.1]
    port: ${port}
    health: {readiness: {tcp: "127.0.0.1:${port}", period: 1s}}
  ticker:
    description: Says something all the time
    command: [sh, -c, 'i=0; while :; do i=$((i+1)); printf "\\033[32mtick\\033[0m %d <b>not bold</b><script>document.title=1</script>\\n" $i; echo "oops $i" >&2; sleep 0.2; done']
    depends_on: {web: {condition: healthy}}
    restart: {delay: 100ms}
    log: {stderr: logs/ticker.err}
  crasher:
    command: [sh, -c, 'echo "cannot open db"; exit 3']
    restart: {delay: 30s, jitter: 0}
  waits:
    command: [sleep, "1000"]
    depends_on: {never: {condition: completed}}
  never:
    type: oneshot
    command: [sleep, "1000"]
  pair:
    command: [sleep, "1000"]
    instances: 2
    depends_on: {web: {condition: started}}
  once:
    type: oneshot
    command: [sh, -c, 'echo done']
  nightly:
    type: scheduled
    command: [sh, -c, 'echo nightly']
    schedule: {cron: "0 3 * * *"}
`;

export const fewer = (port) => services(port).split("  ticker:")[0];
