"""The app as a visitor sees it: a real server, a real browser.

A package, unlike the other folders of tests, so that server and browser end with its last test.
"""
