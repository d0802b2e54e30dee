package spec

import (
	"strings"
	"time"
	_ "time/tzdata" // Windows has none

	"github.com/robfig/cron/v3"
)

var cronParser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// ParseCron reads schedule.cron: five fields, six with seconds in front, or a word such as @daily or @every 5m.
// The time zone has a key of its own. The error says what is wrong in words for people.
func ParseCron(expr string) (cron.Schedule, error) {
	const hint = "minute hour day month weekday, for example \"0 3 * * *\" for 3 o'clock each day, or @daily, @every 5m"
	expr = strings.TrimSpace(expr)
	if strings.HasPrefix(expr, "TZ=") || strings.HasPrefix(expr, "CRON_TZ=") {
		return nil, words("the time zone is schedule.timezone", "%s names a time zone", quote(expr))
	}
	s, err := cronParser.Parse(expr)
	if err != nil {
		return nil, words(hint, "%s is no schedule: %s", quote(expr), err)
	}
	if s.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, words("", "%s never comes", quote(expr))
	}
	return s, nil
}

// schedule checks what only a scheduled service has.
func (f *finisher) schedule() {
	s := f.s
	at, _ := f.dr.where("schedule")
	if s.Type != TypeScheduled {
		f.refuse("schedule", at != nil && at.kind != nullNode, "only a scheduled service has one", "set type: scheduled")
		return
	}
	if s.Schedule.Cron == "" {
		f.refuse("schedule.cron", true, "the schedule is missing", "for example schedule: {cron: \"0 3 * * *\"}")
		return
	}
	if _, err := ParseCron(s.Schedule.Cron); err != nil {
		message, hint := errorWords(err)
		f.refuse("schedule.cron", true, message, hint)
	}
	if tz := s.Schedule.Timezone; tz != "" {
		_, err := time.LoadLocation(tz)
		f.refuse("schedule.timezone", err != nil || strings.EqualFold(tz, "local") && tz != "Local", quote(tz)+" is no time zone", "an IANA name such as Europe/Berlin, Asia/Shanghai or UTC")
	}
}
