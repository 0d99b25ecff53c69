#!/usr/bin/env node
// A committed file, because npm links commands at install time, before anything is built.
import '../dist/main.js';
