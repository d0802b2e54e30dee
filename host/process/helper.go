package process

// The hidden first arguments by which the executable serves the backend of another process of itself.
const (
	helperGuard = "__guard"
	helperCtrl  = "__ctrl"
	helperExec  = "__exec"
)

// HelperMain serves a hidden helper role if args (without the program name) ask for one, and reports
// whether they did, with the exit code. Call it first thing in main.
func HelperMain(args []string) (handled bool, code int) {
	if len(args) == 0 || (args[0] != helperGuard && args[0] != helperCtrl && args[0] != helperExec) {
		return false, 0
	}
	return helperMain(args)
}
