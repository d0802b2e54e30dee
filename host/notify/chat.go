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
)

// chatWait is how long a group robot is left alone that was sent too much: their limits are by the minute.
const chatWait = 20 * time.Second

// dingTalk is a message of a custom robot in a group: https://open.dingtalk.com/document/robots/custom-robot-access
type dingTalk struct{}

func (dingTalk) most() int { return 10 }

func (dingTalk) body(as []Alert, _ string, _ time.Time) ([]byte, error) {
	text := markdown(as, "#### ", "\n\n", 15000) // the whole body may have 20000 bytes
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
	text := markdown(as, "### ", "\n", most)
	return compact(map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": text}})
}

func (weCom) sign(*http.Request, []byte, string, time.Time) {}

func (weCom) verdict(answer []byte) outcome {
	// https://developer.work.weixin.qq.com/document/path/90313: 45009 and 45033 are limits, -1 and 50001 busy.
	return chatVerdict(answer, "errcode", "errmsg", []int{45009, 45033}, []int{-1})
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
