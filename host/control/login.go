package control

import (
	"context"
	"net/http"
	"time"
)

// LoginRequest asks for a sign-in to the dashboard that works once.
type LoginRequest struct {
	Actor  string `json:"-"`
	Access Access `json:"-"` // of Actor
}

// LoginAnswer is where to go with it.
type LoginAnswer struct {
	URL       string    `json:"url"` // a secret until it was used
	ExpiresAt time.Time `json:"expires_at"`
}

// Login is Host.Login; the host knows who asks by itself.
func (c *Client) Login(ctx context.Context) (LoginAnswer, error) {
	return ask[LoginAnswer](ctx, c, "POST", "/v1/login", nil)
}

func login(s *Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who := caller(r)
		v, err := s.config.Host.Login(r.Context(), LoginRequest{Actor: who.name, Access: who.access})
		answer(w, v, err)
	}
}
