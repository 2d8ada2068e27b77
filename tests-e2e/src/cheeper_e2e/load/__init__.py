"""`make load`: a graph's authors and a file's texts, sent through a gateway and compared with the views."""
