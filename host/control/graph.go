package control

import "context"

// Graph is which service waits for which.
type Graph struct {
	Nodes []GraphNode `json:"nodes"` // never null; by name
	Edges []GraphEdge `json:"edges"` // never null; by name of From, then of To
}

// GraphNode is a service. Of several instances it shows the first that is not as desired, or the first.
type GraphNode struct {
	ID        string `json:"id"` // the name of the service
	State     string `json:"state"`
	Health    string `json:"health"`
	AsDesired bool   `json:"as_desired"`
	Instances int    `json:"instances"`
}

// GraphEdge is a dependency of From on To.
type GraphEdge struct {
	From      string `json:"from"`
	To        string `json:"to"`
	Condition string `json:"condition"` // started, healthy, completed
	Required  bool   `json:"required"`
	// Met reports whether all instances of To have reached the condition now.
	Met bool `json:"met"`
}

// Graph is Host.Graph.
func (c *Client) Graph(ctx context.Context) (Graph, error) {
	return ask[Graph](ctx, c, "GET", "/v1/graph", nil)
}
