package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

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
		if l := lines(a, len(as)); len(l) > 0 {
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
