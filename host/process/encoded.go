package process

import "io"

// Serve answers the calls of one Dial at the other end of conn out of b, until the connection ends, and
// closes conn. It returns nil when the other end hung up in an orderly way. The runs live on: only Close of
// the dialled Backend closes b. To keep what a lost connection had not acknowledged for the next
// one, use one Server for all of them.
func Serve(conn io.ReadWriteCloser, b Backend) error { return NewServer(b).Serve(conn) }

// Dial returns a Backend that is carried out at the other end of conn, where Serve runs. When the connection
// is lost, every call fails with an Error of kind ErrOther and every Copy ends with it.
func Dial(conn io.ReadWriteCloser) (Backend, error) {
	c := &client{
		wire: newWire(conn), events: newQueue(), lost: make(chan struct{}),
		calls: map[uint64]chan answer{}, channels: map[uint64]*channel{},
	}
	go c.read()
	return c, nil
}

// The methods of a call. Those of the output name a channel that carries the bytes.
const (
	callStart    = "start"
	callStopStep = "stop_step"
	callKillTree = "kill_tree"
	callList     = "list"
	callAck      = "ack"
	callUsage    = "usage"
	callOutput   = "output"
	callClose    = "close"
)

// call is a request to the serving end; Number comes back in its answer.
type call struct {
	Number  uint64       `json:"number"`
	Method  string       `json:"method"`
	Run     RunID        `json:"run"`
	Request *wireRequest `json:"request,omitempty"`
	Do      string       `json:"do,omitempty"`
	Stream  Stream       `json:"stream,omitempty"`
	Full    bool         `json:"full,omitempty"`
}

// answer is what came of a call.
type answer struct {
	Number   uint64   `json:"number"`
	Identity Identity `json:"identity,omitzero"`
	Runs     []Run    `json:"runs,omitempty"`
	Usage    Usage    `json:"usage,omitzero"`
	Error    *Error   `json:"error,omitempty"`
}

// copyFrom opens a channel for one Copy.
type copyFrom struct {
	Channel uint64 `json:"channel"`
	Run     RunID  `json:"run"`
	Stream  Stream `json:"stream"`
}

// copyEnd says that a channel brings nothing more.
type copyEnd struct {
	Channel uint64 `json:"channel"`
	Error   *Error `json:"error,omitempty"`
}

// wireRequest is a Request with those of its strings as bytes that need not be valid UTF-8 on Unix, which a
// JSON string has to be.
type wireRequest struct {
	Path    []byte   `json:"path"`
	Args    [][]byte `json:"args"`
	RawArgs []byte   `json:"raw_args,omitempty"`
	Dir     []byte   `json:"dir"`
	Env     [][]byte `json:"env"`
	Rest    Request  `json:"rest"` // without the above
}

func encodeRequest(r Request) *wireRequest {
	w := &wireRequest{
		Path: []byte(r.Path), Args: toBytes(r.Args), RawArgs: []byte(r.RawArgs), Dir: []byte(r.Dir), Env: toBytes(r.Env), Rest: r,
	}
	w.Rest.Path, w.Rest.Args, w.Rest.RawArgs, w.Rest.Dir, w.Rest.Env = "", nil, "", "", nil
	return w
}

func (w *wireRequest) decode() Request {
	r := w.Rest
	r.Path, r.Args, r.RawArgs, r.Dir, r.Env = string(w.Path), toStrings(w.Args), string(w.RawArgs), string(w.Dir), toStrings(w.Env)
	return r
}

func toBytes(list []string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}

func toStrings(list [][]byte) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = string(b)
	}
	return out
}
