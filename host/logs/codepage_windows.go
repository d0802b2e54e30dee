package logs

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/text/transform"

	"servicehost/spec"
)

const utf8Page = 65001

// systemPage returns the code page of that kind, the other one where that is UTF-8 or can't be decoded,
// nil without any. GetOEMCP and GetACP would tell those of this process, which are UTF-8 by its manifest
// (https://learn.microsoft.com/windows/apps/design/globalizing/use-utf8-code-page); children have the
// machine's.
func systemPage(kind string) newTransformer {
	values := [...]string{"OEMCP", "ACP"}
	if kind == spec.EncodingANSI {
		values = [...]string{"ACP", "OEMCP"}
	}
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Control\Nls\CodePage`, registry.QUERY_VALUE)
	if err != nil {
		return nil
	}
	defer key.Close()
	for _, name := range values {
		text, _, err := key.GetStringValue(name)
		if err != nil {
			continue
		}
		if page, err := strconv.ParseUint(text, 10, 32); err == nil && page != utf8Page {
			if fresh := pageDecoder(uint32(page)); fresh != nil {
				return fresh
			}
		}
	}
	return nil
}

// pageDecoder returns nil for what Windows doesn't have either.
func pageDecoder(page uint32) newTransformer {
	if e := spec.Charset(fmt.Sprint(page)); e != nil {
		return func() transform.Transformer { return e.NewDecoder().Transformer }
	}
	t, ok := tableOf(page)
	if !ok {
		return nil
	}
	return func() transform.Transformer { return t }
}

// table decodes a page of single bytes that only Windows knows: 737, 775, 857 and the like.
type table struct {
	transform.NopResetter
	runes [256]rune
}

func tableOf(page uint32) (*table, bool) {
	t := &table{}
	for i := range t.runes {
		b, wide := byte(i), [2]uint16{}
		n, err := windows.MultiByteToWideChar(page, 0, &b, 1, &wide[0], 2)
		if err != nil || n != 1 {
			return nil, false // no such page, or not of single bytes
		}
		t.runes[i] = rune(wide[0])
	}
	return t, true
}

func (t *table) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for _, c := range src {
		if nDst+utf8.UTFMax > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], t.runes[c])
		nSrc++
	}
	return nDst, nSrc, nil
}
