package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// types are those of the files that a page is made of. The registry of Windows, which package mime asks, is
// anybody's to change.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json",
	".woff2": "font/woff2", ".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8",
}

// page serves the files of the dashboard, which never change while the program runs.
type page struct {
	files fs.FS
	mu    sync.Mutex
	known map[string]*pageFile
}

type pageFile struct {
	content []byte
	zipped  []byte // nil where that is no shorter
	tag     string
	kind    string
}

func newPage(files fs.FS) *page { return &page{files: files, known: map[string]*pageFile{}} }

func (p *page) serve(w http.ResponseWriter, r *http.Request) {
	name, ok := "index.html", r.URL.Path == "/"
	if !ok {
		if name, ok = strings.CutPrefix(r.URL.Path, "/assets/"); !ok && r.URL.Path == "/favicon.ico" {
			name, ok = "icon.svg", true
		}
	}
	var f *pageFile
	if ok && (name != "index.html" || r.URL.Path == "/") {
		f = p.file(name)
	}
	if f == nil {
		refuse(w, http.StatusNotFound, "there is no "+r.URL.Path, "")
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache") // asked for again, and answered with 304: the next version has other files
	h.Set("Vary", "Accept-Encoding")
	content, tag := f.content, f.tag
	if f.zipped != nil && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		content, tag = f.zipped, f.tag+"-gz"
	}
	tag = `"` + tag + `"`
	h.Set("ETag", tag)
	for one := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			h.Del("Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
}

// file reads one; nil: there is none.
func (p *page) file(name string) *pageFile {
	kind := types[path.Ext(name)]
	if kind == "" || !fs.ValidPath(name) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.known[name]; f != nil {
		return f
	}
	content, err := fs.ReadFile(p.files, name)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(content)
	f := &pageFile{content: content, tag: hex.EncodeToString(sum[:8]), kind: kind}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write(content)
	if z.Close() == nil && b.Len() < len(content)*9/10 {
		f.zipped = bytes.Clone(b.Bytes())
	}
	p.known[name] = f
	return f
}
