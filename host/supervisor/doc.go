// Package supervisor keeps instances the way the spec says.
package supervisor
