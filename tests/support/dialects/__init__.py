"""Endpoints that send what the real ones send: streams recorded in shape, with words of ours."""
