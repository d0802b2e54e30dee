// Package reload notices that the files of a spec changed and works out what the change means. It knows specs only.
package reload
