package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"servicehost/spec"
)

// chatWait is how long a group robot is left alone that was sent too much: their limits are by the minute.
const chatWait = 20 * time.Second

// dingTalk is a message of a custom robot in a group: https://open.dingtalk.com/document/robots/custom-robot-access
type dingTalk struct{}

func (dingTalk) most() int { return 10 }

func (dingTalk) body(as []Alert, _ string, _ time.Time) ([]byte, error) {
	text := clip(markdown(as, "#### ", "\n\n"), 18000) // the whole body may have 20000 bytes
	return compact(map[string]any{"msgtype": "markdown", "markdown": map[string]string{"title": clip(heading(as), 200), "text": text}})
}

// sign adds the time in milliseconds and the HMAC of it and the key, by the key.
func (dingTalk) sign(req *http.Request, _ []byte, key string, now time.Time) {
	stamp := strconv.FormatInt(now.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(stamp + "\n" + key))
	q := req.URL.RawQuery
	if q != "" {
		q += "&"
	}
	req.URL.RawQuery = q + "timestamp=" + stamp + "&sign=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func (dingTalk) verdict(answer []byte) outcome {
	// 130101 and 410100: more than 20 messages in a minute. -1: busy.
	return chatVerdict(answer, "errcode", "errmsg", []int{130101, 410100}, []int{-1})
}

// weCom is a message of a robot in a group: https://developer.work.weixin.qq.com/document/path/91770
type weCom struct{}

func (weCom) most() int { return 5 }

func (weCom) body(as []Alert, _ string, _ time.Time) ([]byte, error) {
	const most = 4096 // bytes of the content
	text := markdown(as, "### ", "\n")
	return compact(map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": clip(text, most)}})
}

func (weCom) sign(*http.Request, []byte, string, time.Time) {}

func (weCom) verdict(answer []byte) outcome {
	// https://developer.work.weixin.qq.com/document/path/90313: 45009 and 45033 are limits, -1 and 50001 busy.
	return chatVerdict(answer, "errcode", "errmsg", []int{45009, 45033}, []int{-1})
}

// feishu is a card of a custom robot in a group, of Feishu and of Lark:
// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
type feishu struct{}

func (feishu) most() int { return 10 }

type feishuMessage struct {
	Timestamp string     `json:"timestamp,omitempty"`
	Sign      string     `json:"sign,omitempty"`
	MsgType   string     `json:"msg_type"`
	Card      feishuCard `json:"card"`
}

type feishuCard struct {
	Config   map[string]bool `json:"config"`
	Header   feishuHeader    `json:"header"`
	Elements []feishuElement `json:"elements"`
}

type feishuHeader struct {
	Title    feishuText `json:"title"`
	Template string     `json:"template"`
}

type feishuElement struct {
	Tag  string      `json:"tag"`
	Text *feishuText `json:"text,omitempty"`
}

type feishuText struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

func (feishu) body(as []Alert, key string, now time.Time) ([]byte, error) {
	plain := func(s string) feishuText { return feishuText{"plain_text", s} }
	m := feishuMessage{MsgType: "interactive", Card: feishuCard{
		Config: map[string]bool{"wide_screen_mode": true},
		Header: feishuHeader{plain(clip(heading(as), 200)), feishuColor(as)},
	}}
	each := 16000 / len(as) // the whole body may have 20 KB
	for n, a := range as {
		if n > 0 {
			m.Card.Elements = append(m.Card.Elements, feishuElement{Tag: "hr"})
		}
		text := paragraphs(a, len(as) > 1)
		if l := lines(a); len(l) > 0 {
			text += "\n" + strings.Join(l, "\n")
		}
		body := plain(clip(text, each))
		m.Card.Elements = append(m.Card.Elements, feishuElement{Tag: "div", Text: &body})
	}
	if key != "" {
		m.Timestamp = strconv.FormatInt(now.Unix(), 10)
		m.Sign = feishuSign(m.Timestamp, key)
	}
	return compact(m)
}

// feishuSign is the HMAC of nothing, by the time in seconds and the key.
func feishuSign(stamp, key string) string {
	mac := hmac.New(sha256.New, []byte(stamp+"\n"+key))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func feishuColor(as []Alert) string {
	switch worst(as) {
	case toneBad:
		return "red"
	case toneWarn:
		return "orange"
	case toneGood:
		return "green"
	}
	return "grey"
}

func (feishu) sign(*http.Request, []byte, string, time.Time) {}

func (feishu) verdict(answer []byte) outcome {
	// 11232: more than 100 in a minute or 5 in a second.
	return chatVerdict(answer, "code", "msg", []int{11232, 99991400}, nil)
}

// chatVerdict reads an answer that has 200 for its status whatever became of the message. An answer that is none
// of these is not theirs: something in between took the message.
func chatVerdict(answer []byte, codeKey, textKey string, limits, busy []int) outcome {
	var fields map[string]json.RawMessage
	var code int
	if json.Unmarshal(answer, &fields) != nil || json.Unmarshal(fields[codeKey], &code) != nil || code == 0 {
		return outcome{}
	}
	var said string
	_ = json.Unmarshal(fields[textKey], &said) // the number says enough
	err := fmt.Errorf("it answered %s %d: %s", codeKey, code, said)
	switch low := strings.ToLower(said); {
	case slices.Contains(limits, code), strings.Contains(low, "too fast"), strings.Contains(low, "frequency limit"), strings.Contains(low, "too many request"):
		return outcome{err: fmt.Errorf("it takes no more for now: %w", err), wait: chatWait}
	case slices.Contains(busy, code):
		return outcome{err: err}
	}
	return outcome{err: err, final: true}
}

// markdown is the text for robots that take some of it. br is a line break.
func markdown(as []Alert, head, br string) string {
	var b strings.Builder
	b.WriteString(head + harmless(heading(as)))
	for _, a := range as {
		if len(as) > 1 {
			b.WriteString(br + "**" + harmless(a.Title) + "**")
		}
		for _, f := range facts(a) {
			b.WriteString(br + "**" + f[0] + ":** " + harmless(f[1]))
		}
		for _, l := range lines(a) {
			b.WriteString(br + "> " + harmless(l))
		}
	}
	return b.String()
}

// harmless keeps a program's words from being a link, a picture or a call of everybody in the group.
func harmless(s string) string {
	return strings.NewReplacer("](", "] (", "<", "＜", "@", "＠", "\n", " ").Replace(s)
}

// paragraphs are the facts as plain lines.
func paragraphs(a Alert, titled bool) string {
	var out []string
	if titled {
		out = append(out, a.Title)
	}
	for _, f := range facts(a) {
		out = append(out, f[0]+": "+f[1])
	}
	return strings.Join(out, "\n")
}

// tones are how bad something is, worst last.
const (
	toneNone = iota
	toneGood
	toneWarn
	toneBad
)

func tone(a Alert) int {
	if a.Status == Resolved {
		return toneGood
	}
	switch a.Event {
	case spec.AlertFailed, spec.AlertUnhealthy, spec.AlertRolledBack, spec.AlertReloadRejected:
		return toneBad
	case spec.AlertThreshold, spec.AlertExited, spec.AlertPending, spec.AlertLimit, spec.AlertHostStopped:
		return toneWarn
	case spec.AlertRecovered, spec.AlertHostStarted:
		return toneGood
	}
	return toneNone
}

func worst(as []Alert) int {
	out := toneNone
	for _, a := range as {
		out = max(out, tone(a))
	}
	return out
}
