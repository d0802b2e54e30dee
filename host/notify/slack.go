package notify

import (
	"net/http"
	"strings"
	"time"
)

// slack is a message of an incoming webhook of Slack, which Mattermost and Rocket.Chat take as well:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
type slack struct{}

type slackMessage struct {
	Text        string            `json:"text"`
	Attachments []slackAttachment `json:"attachments"`
}

type slackAttachment struct {
	Fallback string       `json:"fallback"`
	Color    string       `json:"color"`
	Title    string       `json:"title"`
	Text     string       `json:"text,omitempty"`
	Fields   []slackField `json:"fields,omitempty"`
	MrkdwnIn []string     `json:"mrkdwn_in"`
	Footer   string       `json:"footer"`
	TS       int64        `json:"ts"`
}

type slackField struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

func (slack) most() int { return 20 }

func (slack) body(as []Alert, _ string, _ time.Time) ([]byte, error) {
	m := slackMessage{Text: slackText(heading(as))}
	for _, a := range as {
		at := slackAttachment{
			Fallback: slackText(heading([]Alert{a})), Color: slackColor(a), Title: slackText(a.Title), MrkdwnIn: []string{"text"},
			Footer: slackText(a.Host), TS: a.At.Unix(),
		}
		for _, f := range facts(a) {
			if f[0] != "At" {
				at.Fields = append(at.Fields, slackField{f[0], slackText(f[1]), len(f[1]) < 40})
			}
		}
		if l := lines(a, len(as)); len(l) > 0 {
			at.Text = "```" + slackText(strings.ReplaceAll(strings.Join(l, "\n"), "```", "'''")) + "```"
		}
		m.Attachments = append(m.Attachments, at)
	}
	return compact(m)
}

func slackColor(a Alert) string {
	switch tone(a) {
	case toneBad:
		return "danger"
	case toneGood:
		return "good"
	case toneWarn:
		return "warning"
	}
	return "#808080"
}

// slackText escapes the three characters that are none of the text:
// https://docs.slack.dev/messaging/formatting-message-text
func slackText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func (slack) sign(*http.Request, []byte, string, time.Time) {}

// verdict: Slack says what is wrong by the status.
func (slack) verdict([]byte) outcome { return outcome{} }
