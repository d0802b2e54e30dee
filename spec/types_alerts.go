package spec

import "time"

// Notifier is one element of `notify`: where events go, beside the log.
type Notifier struct {
	// Name is unique; where the file gives none it is the kind and the place in the list, such as webhook.1.
	Name string `key:"name"`
	// One of these says how.
	Webhook *WebhookURL `key:"webhook"`
	SMTP    *SMTP       `key:"smtp"`
	Exec    []string    `key:"exec"` // gets the alert as JSON on standard input, and HOST_* variables
	// On are the events that are told; recovered resolves the others.
	On []AlertEvent `key:"on"`
	// Services limits it to these; empty: all, and the host itself.
	Services []string `key:"services"`
	Template Template `key:"template"`
	// Secret signs the messages of dingtalk and feishu, and of generic as X-Signature-256.
	Secret  *Secret           `key:"secret"`
	Token   *Secret           `key:"token"` // bearer token of a webhook
	Headers map[string]string `key:"headers"`
	TLS     TargetTLS         `key:"tls"`
	Timeout time.Duration     `key:"timeout"` // of one try
	// Group is how long more of the same are collected after the first one was told.
	Group time.Duration `key:"group"`
}

// WebhookURL is an address, which is often a secret itself: in the file, or where Secret says.
type WebhookURL struct {
	URL    string
	Secret *Secret
}

// SMTP is how mail is sent.
type SMTP struct {
	Server   string   `key:"server"` // host:port; 465 is TLS from the first byte, others STARTTLS where it is offered
	From     string   `key:"from"`
	To       []string `key:"to"`
	User     string   `key:"user"`
	Password *Secret  `key:"password"`
	// StartTLS is auto (where it is offered; always with a user), always or never.
	StartTLS string `key:"starttls"`
}

// AlertEvent is something a Notifier can tell of.
type AlertEvent string

// The values of notify.*.on. The default is the first six.
const (
	AlertFailed         AlertEvent = "failed"
	AlertUnhealthy      AlertEvent = "unhealthy"
	AlertRolledBack     AlertEvent = "rolled_back"
	AlertReloadRejected AlertEvent = "reload_rejected"
	AlertThreshold      AlertEvent = "threshold"
	AlertRecovered      AlertEvent = "recovered"
	AlertExited         AlertEvent = "exited"  // a failure that is followed by a restart
	AlertReload         AlertEvent = "reload"  // applied
	AlertPending        AlertEvent = "pending" // an edit that is held
	AlertLimit          AlertEvent = "limit"   // a limit was hit
	AlertHostStarted    AlertEvent = "host_started"
	AlertHostStopped    AlertEvent = "host_stopped"
)

// Template is the shape of a message.
type Template string

// The values of notify.*.template.
const (
	TemplateGeneric  Template = "generic"
	TemplateSlack    Template = "slack"
	TemplateDingTalk Template = "dingtalk"
	TemplateWeCom    Template = "wecom"
	TemplateFeishu   Template = "feishu"
)

// Threshold is one element of `thresholds`: watched, not enforced. Exactly one measure is set.
type Threshold struct {
	Memory    int64 `key:"memory"` // bytes, as memory_bytes of status
	CPU       int   `key:"cpu"`    // percent of one core, as Limits.CPU
	Handles   int   `key:"handles"`
	Threads   int   `key:"threads"`
	Processes int   `key:"processes"`
	// MemoryGrowth is the slope of a leak, in bytes per hour.
	MemoryGrowth int64 `key:"memory_growth"`
	// Log is a regular expression; Count lines of the output that match it within Within are too many. Count and
	// Within are 0 for another measure.
	Log    string        `key:"log"`
	Count  int           `key:"count"`
	Within time.Duration `key:"within"`
	// For is how many samples in a row are above it before it counts; 0 for Log and MemoryGrowth.
	For    int             `key:"for"`
	Action ThresholdAction `key:"action"`
	// DumpURL is where a Go program hands out its heap (…/debug/pprof/heap), for Action dump; empty: a native dump.
	// It may hold AutoPort.
	DumpURL string `key:"dump_url"`
}

// ThresholdAction is log, notify, restart, dump, or an action. All of them are logged and told of by the event
// threshold.
type ThresholdAction struct {
	Do     ThresholdDo
	Action *Action // for Do action
}

// ThresholdDo is the word of an action of a threshold.
type ThresholdDo string

// The values of thresholds.*.action.
const (
	ThresholdLog     ThresholdDo = "log"
	ThresholdNotify  ThresholdDo = "notify"
	ThresholdRestart ThresholdDo = "restart"
	ThresholdDump    ThresholdDo = "dump"
	ThresholdRun     ThresholdDo = "action"
)
