package spec

import "reflect"

// draft is a service while it is put together from built-in values, defaults and its own keys.
type draft struct {
	svc Service
	// at and from say where each key was set last, for problems that concern several keys.
	at   []*node
	from []layer

	command, args []string
	commandDir    string // folder of the file that says the command
	envBase       map[string]*string
	envDefaults   map[string]*string
	envOwn        map[string]*string
	envFiles      []envFileRef
	dependsAt     map[string]*node
	misnamed      bool // there is an unknown key that was probably meant for the command
}

// envFileRef is one entry of env_file.
type envFileRef struct {
	at       *node
	path     string // absolute, as the checked platform writes it
	name     string // as the user wrote it
	optional bool
}

func newDraft() *draft {
	n := len(serviceSection().all)
	return &draft{at: make([]*node, n), from: make([]layer, n)}
}

// copyFrom makes d a draft that goes on from another, which stays as it is.
func (d *draft) copyFrom(other *draft) {
	at, from := d.at, d.from
	*d = *other
	d.at, d.from = at, from
	copy(d.at, other.at)
	copy(d.from, other.from)
}

func (d *draft) note(k *keyNode, n *node, from layer) {
	if k.id < len(d.at) && k.path != "" && k.name != "*" {
		d.at[k.id], d.from[k.id] = n, from
	}
}

// reset forgets what a key without a field of its own was given.
func (d *draft) reset(k *keyNode) {
	d.at[k.id], d.from[k.id] = nil, layerBuiltin
	switch k.path {
	case "command":
		d.command, d.commandDir = nil, ""
	case "args":
		d.args = nil
	case "env_file":
		d.envFiles, d.svc.EnvFile = nil, nil
	case "depends_on":
		d.dependsAt = nil
	case "port":
		d.svc.Port = 0
	case "affinity":
		d.svc.Affinity = nil
	case "password":
		d.svc.Password = nil
	case "watch.paths":
		d.svc.Watch.Paths = nil
	}
}

// where returns the node and the layer that set a key.
func (d *draft) where(path string) (*node, layer) {
	for _, k := range serviceSection().all {
		if k.path == path {
			return d.at[k.id], d.from[k.id]
		}
	}
	return nil, layerBuiltin
}

// defaultService holds the built-in values of a service on a platform; what depends on the type, the
// name or the folder is filled in later.
func defaultService(windows bool) Service {
	s := Service{
		Type: TypeService, Enabled: true, Instances: 1, InheritEnv: true, Track: TrackMain,
		Restart:          defaultRestart,
		SuccessExitCodes: []int{0},
		Stop:             Stop{Timeout: defaultStopTimeout, Steps: []Step{{Do: "SIGTERM"}}},
		Log:              defaultLog,
		Limits:           Limits{Action: LimitRestart},
		Watch:            Watch{Quiet: defaultWatchQuiet},
		Update:           defaultUpdate,
		Schedule:         Schedule{Overlap: OverlapSkip},
	}
	if windows {
		s.Stop.Steps = []Step{{Do: "ctrl_c"}, {Do: "close"}}
	}
	return s
}

// fields is the struct of a draft for the table-driven decoder.
func (d *draft) fields() reflect.Value { return reflect.ValueOf(&d.svc).Elem() }
