//go:build linux || darwin

package osservice

import (
	"encoding/xml"
	"strings"
)

// plistMark is in every plist that Install writes, with the start type: launchd itself knows none that
// is started by hand alone.
const plistMark = "<!-- Made by host install, which writes it anew when it is run again. Start: "

// plist is the definition for launchd: https://www.manpagez.com/man/5/launchd.plist/
func plist(c Config) string {
	var b strings.Builder
	text := func(s string) string {
		var e strings.Builder
		_ = xml.EscapeText(&e, []byte(s)) // a Builder takes all
		return "<string>" + e.String() + "</string>"
	}
	line := func(key, value string) { b.WriteString("\t<key>" + key + "</key>\n\t" + value + "\n") }
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
` + plistMark + string(c.Start) + ` -->
<plist version="1.0">
<dict>
`)
	line("Label", text(c.Name))
	program := "<array>\n"
	for _, a := range append([]string{c.Exe}, c.Args...) {
		program += "\t\t" + text(a) + "\n"
	}
	line("ProgramArguments", program+"\t</array>")
	line("WorkingDirectory", text(c.Dir))
	if c.Account != "" && c.Account != "root" {
		line("UserName", text(c.Account))
	} else {
		line("StandardErrorPath", text("/Library/Logs/"+c.Name+".log")) // another user could not write there
	}
	line("RunAtLoad", "<true/>") // what is not to start with the system is not loaded with it
	line("KeepAlive", "<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>")
	line("ExitTimeOut", "<integer>"+seconds(c.StopBudget)+"</integer>")
	b.WriteString("</dict>\n</plist>\n")
	return b.String()
}

// plistStart is the start type that a plist was installed with.
func plistStart(text string) StartType {
	_, rest, _ := strings.Cut(text, plistMark)
	word, _, _ := strings.Cut(rest, " ")
	if t := StartType(word); t == StartManual || t == StartDisabled {
		return t
	}
	return StartAuto
}

// plistValues are the keys of a plist and the texts of what stands behind each.
func plistValues(text string) (v values) {
	d := xml.NewDecoder(strings.NewReader(text))
	key, depth, inKey, inItem, list := "", 0, false, false, false
	var words []string
	flush := func() {
		switch {
		case list:
			v.set(key, joined(words))
		case key != "":
			v.set(key, strings.Join(words, " "))
		}
		key, words, list = "", nil, false
	}
	for {
		token, err := d.Token()
		if err != nil {
			flush()
			return v
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			if inKey = depth == 3 && t.Name.Local == "key"; inKey { // plist, dict, key
				flush()
			} else if inItem = depth == 4 && t.Name.Local == "string"; inItem && key != "" { // plist, dict, array, string
				words, list = append(words, ""), true
			} else if t.Name.Local == "true" || t.Name.Local == "false" {
				words = append(words, t.Name.Local)
			}
		case xml.EndElement:
			depth--
			inKey, inItem = false, false
		case xml.CharData:
			if s := strings.TrimSpace(string(t)); inItem && list {
				words[len(words)-1] += string(t) // blanks and all
			} else if inKey {
				key += s
			} else if s != "" {
				words = append(words, s)
			}
		}
	}
}

func plistWord(key string) string {
	words := map[string]string{
		"ProgramArguments": "command", "UserName": "account", "WorkingDirectory": "folder", "ExitTimeOut": "stop timeout in s",
		"StandardErrorPath": "standard error",
	}
	if w, ok := words[key]; ok {
		return w
	}
	return key
}
