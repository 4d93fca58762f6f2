"""Tests of outside witnesses and clocks: real witness processes, a real time-stamp authority, real brokers."""
