-- What went wrong, in a dialog.
on run arguments
	display dialog (item 1 of arguments) with title "MapEdit" buttons {"OK"} default button 1 with icon caution
end run
