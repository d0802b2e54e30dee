package spec

import (
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Names of log.encoding that mean what the machine is set to; anything else is what Charset knows.
const (
	EncodingAuto = "auto" // valid UTF-8 as it is, the rest by EncodingOEM; on Unix every byte as it is
	EncodingOEM  = "oem"  // the code page of Windows' console programs
	EncodingANSI = "ansi" // the code page of its other programs
)

// charsetAliases are names that people write and IANA doesn't list, or lists for less than is meant:
// programs that say gb2312 write the characters that GBK added to it, too.
var charsetAliases = map[string]string{
	"utf8": "utf-8", "utf16": "utf-16", "utf16le": "utf-16le", "utf16be": "utf-16be", "unicode": "utf-16le",
	"gb2312": "gbk", "euc-cn": "gbk", "sjis": "shift_jis", "shift-jis": "shift_jis", "uhc": "euc-kr", "ascii": "us-ascii",
}

// codePages are Windows' numbers for what has another name elsewhere.
var codePages = map[string]string{
	"858": "ibm00858", "874": "windows-874", "932": "shift_jis", "936": "gbk", "949": "euc-kr", "950": "big5",
	"1200": "utf-16le", "1201": "utf-16be", "20866": "koi8-r", "21866": "koi8-u", "20936": "gbk",
	"51932": "euc-jp", "51949": "euc-kr", "50220": "iso-2022-jp", "52936": "hz-gb-2312", "54936": "gb18030", "65001": "utf-8",
}

// Charset returns the encoding of that name: one that IANA lists, a Windows code page (936 or cp936), or
// what people call it. It is nil where the name isn't known or nothing here can decode it.
func Charset(name string) encoding.Encoding {
	name = strings.ToLower(strings.TrimSpace(name))
	number := strings.TrimPrefix(strings.TrimPrefix(name, "cp"), "windows-")
	for _, try := range [...]string{charsetAliases[name], codePages[number], name, "ibm" + number, "windows-" + number, strings.ReplaceAll(name, "_", "-")} {
		if e, err := ianaindex.IANA.Encoding(try); err == nil && e != nil {
			if e == simplifiedchinese.GBK {
				// GB18030 is GBK and more: what calls itself GBK on a system of today may hold four-byte characters.
				return simplifiedchinese.GB18030
			}
			return e
		}
	}
	return nil
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
