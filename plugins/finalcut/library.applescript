-- The folder of the library that is open, or nothing: versions that do not say it make Final Cut
-- ask for one instead.
on run
	try
		tell application "Final Cut Pro" to set theFile to file of library 1
		return POSIX path of theFile
	on error
		return ""
	end try
end run
