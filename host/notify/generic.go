package notify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"
)

// generic is the Alert as JSON, one in each message.
type generic struct{}

func (generic) most() int { return 1 }

func (generic) body(as []Alert, _ string, _ time.Time) ([]byte, error) { return compact(as[0]) }

// sign proves who sent it in the way that webhooks of code hosters made known: the header is the HMAC of the body.
func (generic) sign(req *http.Request, body []byte, key string, _ time.Time) {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	req.Header.Set("X-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func (generic) verdict([]byte) outcome { return outcome{} }

// compact is JSON in one line, with <, > and & as they are.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
