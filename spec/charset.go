package spec

import (
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
)

// Names of log.encoding that mean what the machine is set to; anything else is what Charset knows.
const (
	EncodingAuto = "auto" // valid UTF-8 as it is, the rest by EncodingOEM; on Unix every byte as it is
	EncodingOEM  = "oem"  // the code page of Windows' console programs
	EncodingANSI = "ansi" // the code page of its other programs
)

// Charset returns the encoding of that name: one that IANA lists, a Windows code page (936 or cp936), or
// what people call it. It is nil where the name isn't known or nothing here can decode it.
func Charset(name string) encoding.Encoding {
	name = strings.ToLower(strings.TrimSpace(name))
	number := strings.TrimPrefix(strings.TrimPrefix(name, "cp"), "windows-")
	for _, try := range [...]string{charsetAlias(name), codePage(number), name, "ibm" + number, "windows-" + number, strings.ReplaceAll(name, "_", "-")} {
		if e := charsetOf(try); e != nil {
			return e
		}
	}
	return nil
}

// charsetAlias is what is meant by a name that people write and IANA doesn't list, or lists for less: programs
// that say gb2312 write the characters that GBK added to it, too.
func charsetAlias(name string) string {
	switch name {
	case "utf8":
		return "utf-8"
	case "utf16":
		return "utf-16"
	case "utf16le", "unicode":
		return "utf-16le"
	case "utf16be":
		return "utf-16be"
	case "gb2312", "euc-cn":
		return "gbk"
	case "sjis", "shift-jis":
		return "shift_jis"
	case "uhc":
		return "euc-kr"
	case "ascii":
		return "us-ascii"
	}
	return ""
}

// codePage is the name elsewhere of what Windows has a number for.
func codePage(number string) string {
	switch number {
	case "858":
		return "ibm00858"
	case "874":
		return "windows-874"
	case "932":
		return "shift_jis"
	case "936", "20936":
		return "gbk"
	case "949", "51949":
		return "euc-kr"
	case "950":
		return "big5"
	case "1200":
		return "utf-16le"
	case "1201":
		return "utf-16be"
	case "20866":
		return "koi8-r"
	case "21866":
		return "koi8-u"
	case "51932":
		return "euc-jp"
	case "50220":
		return "iso-2022-jp"
	case "52936":
		return "hz-gb-2312"
	case "54936":
		return "gb18030"
	case "65001":
		return "utf-8"
	}
	return ""
}

// charset refuses an encoding of the output that nothing here can decode.
func (f *finisher) charset() {
	switch name := f.s.Log.Encoding; name {
	case "", EncodingAuto, EncodingOEM, EncodingANSI:
	default:
		f.refuse("log.encoding", Charset(name) == nil, fmt.Sprintf("%q is no encoding that can be decoded", name),
			"use auto, utf-8, gbk, utf-16le, oem or ansi (the code pages of this Windows), or another IANA name such as big5, shift_jis, windows-1252, cp437")
	}
}
