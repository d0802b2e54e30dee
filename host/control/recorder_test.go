package control

import (
	"context"
	"net/http/httptest"
	"testing"
)

// newRecorder asks the server without a network, as whoever conn says.
func newRecorder(t *testing.T, s *Server, conn *peerConn, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	w := httptest.NewRecorder()
	s.serve(w, r.WithContext(context.WithValue(t.Context(), peerKey{}, conn)))
	return w
}
