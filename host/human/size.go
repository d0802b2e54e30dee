package human

import "strconv"

// Size writes a number of bytes the way a spec does, in the largest unit that leaves no more than one
// digit behind the point: 512MiB, 1.5GiB, 1000B.
func Size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	u, v := 0, float64(n)
	for u+1 < len(units) && v >= 1024 {
		v /= 1024
		u++
	}
	return strconv.FormatFloat(float64(int64(v*10+0.5))/10, 'f', -1, 64) + units[u]
}
