// Package action does one thing beside a service: runs a program in a tree of its own, or sends an HTTP request.
package action
