-- Has Final Cut Pro import the file that is named.
on run arguments
	set theFile to POSIX file (item 1 of arguments)
	tell application "Final Cut Pro"
		activate
		open theFile
	end tell
end run
